export { ServicePage } from './ServicePage';
export { ServiceTab } from './ServiceTab';
