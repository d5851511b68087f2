export { ServiceTab } from './ServiceTab';
