export { DeadLettersFilter } from './DeadLettersFilter';
export { ServiceCard, SquadCard } from './OverviewCard';
