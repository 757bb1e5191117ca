/** At what resolution a network looks at an image: see `writePatches`. */

/** The side of the square of pixels that is one position of a network's input. */
export const PATCH = 4;

/** The side of the square of pixels that a position knows: one more on each side, so that an edge is seen whole. */
export const SIGHT = PATCH + 2;
