export { SquadTab } from './SquadTab';
