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
  operationsRouteRef,
  searchRouteRef,
  shiftLogRouteRef,
  squadsRouteRef,
} from '../routes';
import { deadLetterTranslationRef } from '../translation';
import { sayNumber } from '../views/operations/say';
import { Answers } from './Answers';
import { Guarded } from './Guarded';

type View = 'squads' | 'search' | 'operations' | 'shiftLog' | 'audit';

/** The views that everybody has. */
const TABS: View[] = ['squads', 'search', 'operations', 'shiftLog'];

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

/** So many paused operations are counted. */
const PAUSED = 50;

/** A paused operation waits for somebody: it is not to be forgotten. The audit is for those who may read it. */
function AskedTabs({ view }: PluginPageProps) {
  const { allowed } = useMay('admin');
  const { data } = useAnswer(
    ['operations', 'paused'],
    (client, signal) =>
      client.operations({ state: 'paused', limit: PAUSED }, signal),
    { every: EVERY_MS, keep: false },
  );
  const tabs = allowed ? [...TABS, 'audit' as const] : TABS;
  return <Tabs view={view} paused={data?.operations.length} tabs={tabs} />;
}

interface TabsProps extends PluginPageProps {
  paused?: number;
  tabs?: View[];
}

function Tabs({ view, paused = 0, tabs = TABS }: TabsProps) {
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
    shiftLog: useRouteRef(shiftLogRouteRef)?.() ?? '',
    audit: useRouteRef(auditRouteRef)?.() ?? '',
  };
  const labelOf = (id: View) =>
    id === 'operations' && paused > 0
      ? t('operations.titlePaused', { number: sayNumber(paused) })
      : t(`${id}.title`);
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
