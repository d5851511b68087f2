import { addressOf, deleteView, saveView } from './savedViews';

const stored = () => JSON.parse(localStorage.getItem('dead-letter.views')!);

describe('saved views', () => {
  beforeEach(() => localStorage.clear());

  it('keep what is listed, and not which part of it is open', () => {
    expect(
      addressOf('/console/service', '?service=a&find=b&cursor=c&message=d'),
    ).toBe('/console/service?service=a&find=b');
    expect(addressOf('/console/squads', '')).toBe('/console/squads');
  });

  it('are sorted, replaced and deleted by name', () => {
    saveView({ name: 'b', address: '/console/b' });
    saveView({ name: 'a', address: '/console/a' });
    saveView({ name: 'b', address: '/console/other' });
    expect(stored()).toEqual([
      { name: 'a', address: '/console/a' },
      { name: 'b', address: '/console/other' },
    ]);
    deleteView('a');
    expect(stored()).toHaveLength(1);
  });

  it('leave out what others have stored', () => {
    localStorage.setItem(
      'dead-letter.views',
      '[{"name": "x", "address": "javascript:alert(1)"}, 3]',
    );
    saveView({ name: 'a', address: '/console/a' });
    expect(stored()).toEqual([{ name: 'a', address: '/console/a' }]);
  });
});
