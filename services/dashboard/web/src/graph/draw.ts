// A causal graph drawn by Cytoscape; loaded only by pages that have one.
import cytoscape, { type Core, type ElementDefinition, type StylesheetJson } from "cytoscape";
import { NODE, aside, placed, type Layout } from "./layout";
import type { GraphSpec } from "./spec";

const OWN_STYLES = "__________cytoscape_stylesheet";
const SMALLEST = 0.72;
/** Below this width causes stand above their effects. */
const NARROW = 640;

export interface DrawnGraph {
  choose: (key: string | undefined) => void;
  destroy: () => void;
}

/** Draw into an element; `onChoose` is called with the node that was clicked, or none. */
export function draw(
  element: HTMLElement,
  spec: GraphSpec,
  onChoose: (key: string | undefined) => void,
): DrawnGraph {
  keepStylesOut();
  const direction = element.clientWidth < NARROW ? "down" : "right";
  const layout = placed(spec.nodes.map((node) => node.key), spec.edges, direction);
  const size = extentOf(layout);
  const zoom = Math.min(1, Math.max(SMALLEST, element.clientWidth / size.width));
  const canvas = document.createElement("div");
  canvas.className = "graph-canvas";
  canvas.style.width = `${Math.max(element.clientWidth, Math.ceil(size.width * zoom))}px`;
  canvas.style.height = `${Math.ceil(size.height * zoom)}px`;
  element.append(canvas);
  const cy = cytoscape({
    container: canvas,
    elements: [...nodes(spec, layout), ...edges(spec, layout)],
    layout: { name: "preset", fit: false }, // fitting would shrink it to the height
    style: styles(element),
    userZoomingEnabled: false,
    userPanningEnabled: false,
    boxSelectionEnabled: false,
    autoungrabify: true,
    zoom,
    pan: { x: Math.max(0, (canvas.clientWidth - size.width * zoom) / 2), y: 0 },
  });
  cy.on("tap", (event) => onChoose(event.target === cy ? undefined : chosenId(event.target)));
  return { choose: (key) => mark(cy, key), destroy: () => cy.destroy() };
}

function chosenId(target: { isNode?: () => boolean; id?: () => string }): string | undefined {
  return target.isNode?.() ? target.id?.() : undefined;
}

/** Cytoscape adds a style element unless one is there; the policy forbids those. */
function keepStylesOut(): void {
  if (document.getElementById(OWN_STYLES)) return;
  const stand_in = document.createElement("meta");
  stand_in.id = OWN_STYLES;
  document.head.append(stand_in);
}

function extentOf({ nodes, bends }: Layout) {
  const all = [...nodes.values()];
  const bent = bends.flat();
  return {
    width: Math.max(0, ...all.map((p) => p.x + NODE.width / 2), ...bent.map((p) => p.x + 26)) + 14,
    height: Math.max(0, ...all.map((p) => p.y + NODE.height / 2), ...bent.map((p) => p.y + 10)) + 14,
  };
}

function nodes(spec: GraphSpec, layout: Layout): ElementDefinition[] {
  return spec.nodes.map((node) => ({
    data: { id: node.key, label: [node.service, ...node.lines].join("\n") },
    position: layout.nodes.get(node.key) ?? { x: 0, y: 0 },
    classes: node.role,
  }));
}

function edges(spec: GraphSpec, layout: Layout): ElementDefinition[] {
  const heaviest = Math.max(...spec.edges.map((edge) => edge.weight), 1e-9);
  return spec.edges.map((edge, k) => ({
    data: {
      id: `edge-${k}`,
      source: edge.cause,
      target: edge.effect,
      label: edge.label,
      width: 1.2 + (3.2 * edge.weight) / heaviest,
      ...bent(edge, layout, k),
    },
    classes: classesOf(edge, (layout.bends[k]?.length ?? 0) > 0),
  }));
}

function classesOf(edge: GraphSpec["edges"][number], isBent: boolean): string {
  const names = [edge.unsure && "unsure", edge.sign < 0 && "against", isBent && "bent"];
  return names.filter(Boolean).join(" ");
}

/** The bends of an edge as Cytoscape wants them: along and beside the line between its ends. */
function bent(edge: GraphSpec["edges"][number], { nodes, bends }: Layout, k: number) {
  const [from, to] = [nodes.get(edge.cause), nodes.get(edge.effect)];
  if (!from || !to) return {};
  const points = (bends[k] ?? []).map((point) => aside(from, to, point));
  return {
    along: points.map((point) => point.weight).join(" "),
    beside: points.map((point) => point.distance).join(" "),
  };
}

function mark(cy: Core, key: string | undefined): void {
  cy.elements().removeClass("chosen near far");
  if (key === undefined) return;
  const node = cy.getElementById(key);
  if (node.empty()) return;
  cy.elements().addClass("far");
  node.closedNeighborhood().removeClass("far").addClass("near");
  node.addClass("chosen");
}

function styles(element: HTMLElement): StylesheetJson {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const colour = (token: string) => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const found: StylesheetJson = [
    {
      selector: "node",
      style: {
        shape: "round-rectangle",
        width: NODE.width,
        height: NODE.height,
        "background-color": colour("paper"),
        "border-width": 1.2,
        "border-color": colour("strong-line"),
        color: colour("ink"),
        label: "data(label)",
        "text-wrap": "wrap",
        "text-max-width": `${NODE.width - 12}px`,
        "text-valign": "center",
        "text-halign": "center",
        "font-family": "system-ui, sans-serif",
        "font-size": 11,
        "line-height": 1.25,
      },
    },
    { selector: "node.cause", style: { "border-color": colour("line-0"), "border-width": 3 } },
    {
      selector: "node.symptom",
      style: { "border-color": colour("line-1"), "border-width": 3, "border-style": "dashed" },
    },
    {
      selector: "edge",
      style: {
        width: "data(width)",
        "line-color": colour("muted"),
        "target-arrow-color": colour("muted"),
        "target-arrow-shape": "triangle",
        "curve-style": "bezier",
        label: "data(label)",
        "font-size": 11,
        "font-weight": 600,
        "font-family": "system-ui, sans-serif",
        color: colour("ink"),
        "text-background-color": colour("paper"),
        "text-background-opacity": 1,
        "text-background-padding": "2px",
      },
    },
    {
      selector: "edge.bent",
      style: {
        "curve-style": "round-segments",
        "edge-distances": "node-position",
        "segment-weights": "data(along)",
        "segment-distances": "data(beside)",
        "segment-radii": [18],
      },
    },
    {
      selector: "edge.against",
      style: { "line-color": colour("line-4"), "target-arrow-color": colour("line-4") },
    },
    { selector: "edge.unsure", style: { "line-style": "dashed" } },
    { selector: "node.chosen", style: { "background-color": colour("accent-soft") } },
    { selector: ".far", style: { opacity: 0.35 } },
  ];
  probe.remove();
  return found;
}
