// Where the nodes of a small causal graph stand, and how its edges get past them.
import dagre from "@dagrejs/dagre";

export const NODE = { width: 172, height: 62 };
const LABEL = { width: 46, height: 16, labelpos: "c" } as const;
const STRAIGHT = 4;

export interface Placed {
  x: number;
  y: number;
}

export interface Link {
  cause: string;
  effect: string;
  weight: number;
}

export interface Layout {
  nodes: ReadonlyMap<string, Placed>;
  /** For each edge, where it bends on its way round other nodes; none for a straight one. */
  bends: readonly (readonly Placed[])[];
}

/** Causes before effects, to the right or down; feedback edges do not pull their ends out of order. */
export function placed(
  nodes: readonly string[],
  edges: readonly Link[],
  direction: "right" | "down",
): Layout {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  const rankdir = direction === "right" ? "LR" : "TB";
  graph.setGraph({ rankdir, nodesep: 26, ranksep: direction === "right" ? 30 : 18, marginx: 12, marginy: 12 });
  for (const node of nodes) graph.setNode(node, { ...NODE });
  edges.forEach((edge, k) => {
    const weight = Math.max(1, Math.round(10 * edge.weight));
    graph.setEdge(edge.cause, edge.effect, { ...LABEL, weight }, String(k));
  });
  dagre.layout(graph);
  const at = new Map(nodes.map((node) => [node, placeOf(graph.node(node))]));
  const bends = edges.map((edge, k) => {
    const [from, to] = [at.get(edge.cause), at.get(edge.effect)];
    const told: { points?: Placed[] } = graph.edge({ v: edge.cause, w: edge.effect, name: String(k) });
    if (!from || !to) return [];
    const inner = (told.points ?? []).slice(1, -1).map(placeOf);
    return inner.some((point) => Math.abs(aside(from, to, point).distance) > STRAIGHT) ? inner : [];
  });
  return { nodes: at, bends };
}

function placeOf(place: { x?: number; y?: number }): Placed {
  return { x: place.x ?? 0, y: place.y ?? 0 };
}

/** A point as seen from a line: how far along it (0 to 1), and how far beside it. */
export function aside(from: Placed, to: Placed, point: Placed): { weight: number; distance: number } {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const long = Math.hypot(dx, dy) || 1;
  const [px, py] = [point.x - from.x, point.y - from.y];
  return { weight: (px * dx + py * dy) / (long * long), distance: (py * dx - px * dy) / long };
}
