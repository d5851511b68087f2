export { Acting } from './Acting';
export type { ActingProps } from './Acting';
export type { Selection } from './selection';
