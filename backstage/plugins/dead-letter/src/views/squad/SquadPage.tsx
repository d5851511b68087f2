import { Progress, useAppSearchParams } from '@backstage/frontend-plugin-api';
import { Allowed } from '../../components/Guarded';
import { PluginPage } from '../../components/PluginPage';
import { useSquadTabs } from '../../hooks/useTabs';
import { Squad } from './Squad';

/** The dead letters of the squad that the address names, for those that the catalog does not have. */
export function SquadPage() {
  const [parameters] = useAppSearchParams();
  const squad = parameters.get('squad') ?? '';
  return (
    <PluginPage>
      <ByName key={squad} squad={squad} />
    </PluginPage>
  );
}

function ByName({ squad }: { squad: string }) {
  // Its group counts, if it has one after all.
  const place = useSquadTabs([squad])(squad);
  if (!place) return <Progress />;
  return (
    <Allowed resourceRef={place.resourceRef}>
      <Squad squad={squad} />
    </Allowed>
  );
}
