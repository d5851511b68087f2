export { BreakDown } from './BreakDown';
export { Distinctions } from './Distinctions';
