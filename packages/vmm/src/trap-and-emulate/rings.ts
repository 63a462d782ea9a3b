// Ring compression: in which real rings a guest's rings run. The VMM has ring 0 to itself; a guest that was made for rings
// 0 and 3 moves out by one of two ways, named as Robin and Irvine's and VMware's papers do: VMM / guest kernel / guest user.

export const RING_LAYOUTS = ['0/1/3', '0/3/3'] as const;
export type RingLayout = (typeof RING_LAYOUTS)[number];

/** The real ring for a ring of the guest's. Ring 0 goes to 1 or 3; 0/1/3 leaves the others, 0/3/3 makes all of them one. */
export function realRing(virtualRing: number, layout: RingLayout): number {
  return layout === '0/3/3' ? 3 : Math.max(virtualRing, 1);
}
