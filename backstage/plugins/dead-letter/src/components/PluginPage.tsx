import {
  useAppSearchParams,
  useRouteRef,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { Container, Header } from '@backstage/ui';
import { PropsWithChildren } from 'react';
import { EVERY_MS } from '../hooks/every';
import { useAnswer } from '../hooks/useDeadLetter';
import {
  ENVIRONMENT_PARAMETER,
  useHasEnvironment,
} from '../hooks/useEnvironment';
import { useMay } from '../hooks/useMay';
import {
  auditRouteRef,
  incidentsRouteRef,
  operationsRouteRef,
  searchRouteRef,
  shiftLogRouteRef,
  squadsRouteRef,
} from '../routes';
import { deadLetterTranslationRef } from '../translation';
import { sayNumber } from '../views/operations/say';
import { Answers } from './Answers';
import { Guarded } from './Guarded';

type View =
  | 'squads'
  | 'search'
  | 'operations'
  | 'incidents'
  | 'shiftLog'
  | 'audit';

/** The views that everybody has. */
const TABS: View[] = [
  'squads',
  'search',
  'operations',
  'incidents',
  'shiftLog',
];

interface PluginPageProps {
  /** Which of the views it is; none of those that have a tab where it is undefined. */
  view?: View;
}

/** A view of the page in the sidebar, below its title and the way to the other views. */
export function PluginPage({
  view,
  children,
}: PropsWithChildren<PluginPageProps>) {
  return (
    <Answers>
      <Head view={view} />
      <Container>
        <Guarded>{children}</Guarded>
      </Container>
    </Answers>
  );
}

function Head({ view }: PluginPageProps) {
  return useHasEnvironment() ? <AskedTabs view={view} /> : <Tabs view={view} />;
}

/** So many paused operations and open incidents are counted. */
const COUNTED = 50;

/** A paused operation and an open incident wait for somebody: they are not to be forgotten. The audit is for those who may read it. */
function AskedTabs({ view }: PluginPageProps) {
  const { allowed } = useMay('admin');
  const { data } = useAnswer(
    ['operations', 'paused'],
    (client, signal) =>
      client.operations({ state: 'paused', limit: COUNTED }, signal),
    { every: EVERY_MS, keep: false },
  );
  const incidents = useAnswer(
    ['incidents', 'open'],
    (client, signal) =>
      client.incidents({ state: 'open', limit: COUNTED }, signal),
    { every: EVERY_MS, keep: false },
  );
  const tabs = allowed ? [...TABS, 'audit' as const] : TABS;
  return (
    <Tabs
      view={view}
      paused={data?.operations.length}
      open={incidents.data?.incidents.length}
      tabs={tabs}
    />
  );
}

interface TabsProps extends PluginPageProps {
  paused?: number;
  open?: number;
  tabs?: View[];
}

function Tabs({ view, paused = 0, open = 0, tabs = TABS }: TabsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [parameters] = useAppSearchParams();
  const environment = parameters.get(ENVIRONMENT_PARAMETER);
  const query = environment
    ? `?${new URLSearchParams({ [ENVIRONMENT_PARAMETER]: environment })}`
    : '';
  const paths = {
    squads: useRouteRef(squadsRouteRef)?.() ?? '',
    search: useRouteRef(searchRouteRef)?.() ?? '',
    operations: useRouteRef(operationsRouteRef)?.() ?? '',
    incidents: useRouteRef(incidentsRouteRef)?.() ?? '',
    shiftLog: useRouteRef(shiftLogRouteRef)?.() ?? '',
    audit: useRouteRef(auditRouteRef)?.() ?? '',
  };
  const labelOf = (id: View) => {
    if (id === 'operations' && paused > 0) {
      return t('operations.titlePaused', { number: sayNumber(paused) });
    }
    if (id === 'incidents' && open > 0) {
      return t('incidents.titleOpen', { number: sayNumber(open) });
    }
    return t(`${id}.title`);
  };
  return (
    <Header
      title={t('title')}
      tabs={tabs.map(id => ({
        id,
        label: labelOf(id),
        href: paths[id] + query,
      }))}
      activeTabId={view ?? null}
    />
  );
}
