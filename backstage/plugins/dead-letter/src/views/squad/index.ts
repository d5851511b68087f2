export { SquadPage } from './SquadPage';
export { SquadTab } from './SquadTab';
