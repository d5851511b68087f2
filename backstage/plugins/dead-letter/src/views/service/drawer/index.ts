export { Gone, MessageDrawer, isGone, messageKey } from './MessageDrawer';
