export {
  Gone,
  MessageDrawer,
  isGone,
  messageKey,
  type MessageDrawerProps,
} from './MessageDrawer';
