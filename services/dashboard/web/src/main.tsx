import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/pages.css";
import "./styles/incident.css";
import { render } from "preact";
import { App } from "./app";
import { followLinks } from "./state/route";

followLinks();
const place = document.getElementById("app");
if (place) render(<App />, place);
