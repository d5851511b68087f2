export { Acting } from './Acting';
export type { ActingProps } from './Acting';
export type { ActionKind, Selection } from './selection';
