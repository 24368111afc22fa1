/** The shape of a topology file. */
export type TopologySource = { readonly name: string };
