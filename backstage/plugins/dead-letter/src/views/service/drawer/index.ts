export { MessageDrawer, type MessageDrawerProps } from './MessageDrawer';
