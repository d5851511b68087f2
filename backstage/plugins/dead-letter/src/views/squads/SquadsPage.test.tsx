import { screen } from '@testing-library/react';
import { FakeService } from '../../testing/FakeService';
import { show } from '../../testing/render';
import { SquadsPage } from './SquadsPage';

FakeService.forTests();

describe('SquadsPage', () => {
  it('shows', async () => {
    await show(<SquadsPage />);
    expect(await screen.findByText('SquadsPage')).toBeInTheDocument();
  });
});
