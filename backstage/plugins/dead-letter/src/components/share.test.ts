import { sayShare } from './share';

it.each([
  [0, '0%'],
  [0.0001, '< 0.1%'],
  [0.123, '12.3%'],
  [0.9999, '> 99.9%'],
  [1, '100%'],
])('says %d as %s', (share, said) => expect(sayShare(share)).toBe(said));
