/** How often overviews are asked again: soon enough to see it get better, or worse. */
export const EVERY_MS = 15_000;
