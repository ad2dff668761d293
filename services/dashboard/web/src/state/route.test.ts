import { beforeEach, expect, it } from "vitest";
import { go, ours, path, query, setQuery, withQuery } from "./route";

beforeEach(() => go("/"));

it("says everything in the address", () => {
  go("/incidents/INC-7?tab=methods");
  expect(path.value).toBe("/incidents/INC-7");
  expect(query.value.get("tab")).toBe("methods");
  setQuery({ tab: "", run: "3" });
  expect(location.pathname + location.search).toBe("/incidents/INC-7?run=3");
});

it("keeps several values of one name apart", () => {
  setQuery({ service: ["cart", "orders"] });
  expect(query.value.getAll("service")).toEqual(["cart", "orders"]);
  expect(withQuery({ service: ["cart"] })).toBe("/?service=cart");
});

it("leaves reports, the API and files to the server", () => {
  const paths = ["/", "/incidents/INC-7", "/methods", "/methods/baro", "/explain/ab12", "/status"];
  expect(paths.filter(ours)).toEqual(paths);
  expect(["/incidents/INC-7/report", "/report", "/openapi.json", "/login"].filter(ours)).toEqual([]);
});
