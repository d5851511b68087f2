export { ShiftLogPage } from './ShiftLogPage';
