/** The resolution at which a network sees an image: see `writePatches`. */

/** The side of the square that is one position of a network's input, in pixels. */
export const PATCH = 4;

/** The side of the square that a position sees: one pixel more on each side, so that an edge is seen whole. */
export const SIGHT = PATCH + 2;
