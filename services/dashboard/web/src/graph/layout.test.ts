import { expect, it } from "vitest";
import { NODE, aside, placed } from "./layout";

const link = (cause: string, effect: string) => ({ cause, effect, weight: 1 });
const chain = [link("a", "b"), link("b", "c"), link("a", "c")];

it("places causes before effects, to the right or down", () => {
  const right = placed(["a", "b", "c"], chain, "right").nodes;
  const down = placed(["a", "b", "c"], chain, "down").nodes;
  expect((right.get("a")?.x ?? 0) + NODE.width).toBeLessThan(right.get("b")?.x ?? 0);
  expect((down.get("b")?.y ?? 0) + NODE.height).toBeLessThan(down.get("c")?.y ?? 0);
});

it("leads an edge that skips a node round it, and leaves the others straight", () => {
  const { nodes, bends } = placed(["a", "b", "c"], chain, "right");
  const b = nodes.get("b") ?? { x: 0, y: 0 };
  const beside = (bends[2] ?? []).filter((point) => Math.abs(point.x - b.x) < NODE.width / 2);
  expect(beside.length).toBeGreaterThan(0);
  for (const point of beside) expect(Math.abs(point.y - b.y)).toBeGreaterThan(NODE.height / 2);
});

it("measures how far along and beside a line a point is", () => {
  expect(aside({ x: 0, y: 0 }, { x: 10, y: 0 }, { x: 5, y: 3 })).toEqual({ weight: 0.5, distance: 3 });
});
