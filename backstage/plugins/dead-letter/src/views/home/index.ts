export { MySquads } from './MySquads';
