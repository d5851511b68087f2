import { Selection } from './selection';

export interface ActingProps {
  /** What the buttons act on; disabled where it is undefined. */
  selection: Selection | undefined;
  /** Entity whose permissions count, such as `component:default/webshop`. */
  resourceRef: string;
  /** Called once an operation has begun, and again when it has ended: what it acted on is to be asked for again. */
  onChanged: () => void;
}

/** TODO */
export function Acting(_: ActingProps) {
  return null;
}
