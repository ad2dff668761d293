// Where the nodes of a small causal graph stand: from left to right along its edges.
import dagre from "@dagrejs/dagre";

export const NODE = { width: 172, height: 62 };

export interface Placed {
  x: number;
  y: number;
}

/** Places of the nodes; feedback edges do not pull their ends out of order. */
export function placed(
  nodes: readonly string[],
  edges: readonly { cause: string; effect: string; weight: number }[],
): ReadonlyMap<string, Placed> {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 26, ranksep: 84, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(node, { ...NODE });
  for (const edge of edges) {
    graph.setEdge(edge.cause, edge.effect, { weight: Math.max(1, Math.round(10 * edge.weight)) });
  }
  dagre.layout(graph);
  return new Map(
    nodes.map((node) => {
      const { x, y } = graph.node(node);
      return [node, { x: x ?? 0, y: y ?? 0 }];
    }),
  );
}
