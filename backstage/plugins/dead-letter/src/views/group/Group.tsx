import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Card, CardBody, CardHeader, Text } from '@backstage/ui';
import {
  ErrorGroupDetails,
  Filter,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { PropsWithChildren, ReactNode, useMemo, useState } from 'react';
import { Answered } from '../../components/Answered';
import { Row } from '../../components/Row';
import { TabLink } from '../../components/TabLink';
import { Time } from '../../components/Time';
import { useAnswer, useAskAgain } from '../../hooks/useDeadLetter';
import { useMay } from '../../hooks/useMay';
import { EVERY_MS } from '../../hooks/every';
import { Place, PlaceOf, useSquadTabs } from '../../hooks/useTabs';
import { deadLetterTranslationRef } from '../../translation';
import { Acting } from '../acting';
import { Distinctions } from '../facets';
import { OperationHistory } from '../operations/OperationHistory';
import { OperationsOf } from '../operations/OperationsOf';
import { useOperationsOf } from '../operations/useOperationsOf';
import { Histogram } from '../service/chart/Histogram';
import { Facts } from '../service/drawer/Facts';
import { TicketLink } from '../squad/Care';
import { GroupEvents } from '../squad/GroupEvents';
import { NoteDialog } from '../squad/NoteDialog';
import { sayReason } from '../squad/useTitle';
import { Examples } from './Examples';
import { Merged } from './Merged';
import { TriageButtons } from './TriageButtons';
import styles from './group.module.css';

/** A group, with what was done about it. */
export type Details = ErrorGroupDetails;

type Fix = NonNullable<Details['resolvedIn']>;

const DAY_MS = 24 * 3_600_000;
/** Further back the chart does not go: older messages may have been purged. */
const CHART_DAYS = 90;

interface GroupProps {
  group: Details;
  /** Where the dead letters of its service are. */
  place: Place;
  placeOf: PlaceOf;
}

/** All about an error group. */
export function Group({ group, place, placeOf }: GroupProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { id, service } = group;
  const filter = useMemo<Filter>(
    () => ({ service, errorGroup: id }),
    [service, id],
  );
  const { operations } = useOperationsOf({ errorGroup: id });
  const messages = placeOf(service, { errorGroup: id, status: 'any' });
  return (
    <div className={styles.page}>
      <OperationsOf operations={operations} />
      <Part title={t('group.act')}>
        <Actions group={group} filter={filter} place={place} />
      </Part>
      <Part title={t('group.facts')}>
        <About group={group} place={place} />
      </Part>
      {group.merged.length > 0 && (
        <Part title={t('group.merged')}>
          <Merged group={group} resourceRef={place.resourceRef} />
        </Part>
      )}
      <Since group={group} filter={filter} />
      <Part title={t('facets.apart')}>
        <Distinctions id={id} service={service} placeOf={placeOf} />
      </Part>
      <Part title={t('group.examples')}>
        <Examples filter={filter} all={messages?.path} />
      </Part>
      <Part title={t('group.activity')}>
        <Activity group={group} place={place} />
      </Part>
      <OperationHistory owner={{ errorGroup: id }} isOpen />
    </div>
  );
}

function Part({ title, children }: PropsWithChildren<{ title: string }>) {
  return (
    <Card>
      <CardHeader>
        <Text as="h3" variant="title-x-small">
          {title}
        </Text>
      </CardHeader>
      <CardBody>{children}</CardBody>
    </Card>
  );
}

interface ActionsProps {
  group: Details;
  filter: Filter;
  place: Place;
}

/** Acts on all that are dead, and says what is thought of the group. */
function Actions({ group, filter, place }: ActionsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const askAgain = useAskAgain();
  const dead = useAnswer(
    ['messages', 'count', filter],
    (client, signal) => client.search(filter, { limit: 1 }, signal),
    { every: EVERY_MS, keep: false },
  );
  return (
    <Answered answer={dead}>
      {({ total: { value: count, relation } }) => (
        <Row apart>
          <Row>
            <Text weight="bold" role="status">
              {count === 0
                ? t('group.noneWaits')
                : t(
                    relation === 'eq'
                      ? 'group.waiting'
                      : 'group.waitingAtLeast',
                    { count },
                  )}
            </Text>
            <Acting
              selection={count > 0 ? { filter } : undefined}
              services={[group.service]}
              resourceRef={place.resourceRef}
              onChanged={() => askAgain()}
            />
          </Row>
          <TriageButtons group={group} resourceRef={place.resourceRef} />
        </Row>
      )}
    </Answered>
  );
}

function About({ group, place }: { group: Details; place: Place }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const squad = useSquadTabs([group.squad])(group.squad);
  const facts: { name: string; value: ReactNode; copied?: string }[] = [
    {
      name: t('group.service'),
      value: <TabLink to={place}>{group.service}</TabLink>,
    },
    {
      name: t('group.squad'),
      value: <TabLink to={squad}>{group.squad}</TabLink>,
    },
    {
      name: t('group.reason'),
      value: group.reason ? sayReason(group.reason) : '–',
    },
    { name: t('group.assignee'), value: group.assignee ?? '–' },
    ...(group.ticket
      ? [{ name: t('group.ticket'), value: <TicketLink group={group} /> }]
      : []),
    { name: t('group.firstSeen'), value: <Time at={group.firstSeen} /> },
    ...(group.firstVersion
      ? [{ name: t('group.firstVersion'), value: group.firstVersion }]
      : []),
    { name: t('group.lastSeen'), value: <Time at={group.lastSeen} ago /> },
    { name: t('group.arrived'), value: group.arrived.toLocaleString() },
    ...(group.resolvedAt
      ? [{ name: t('group.resolvedAt'), value: <Time at={group.resolvedAt} /> }]
      : []),
    ...(group.resolvedIn
      ? [{ name: t('group.resolvedIn'), value: fixed(group.resolvedIn) }]
      : []),
    {
      name: t('group.id'),
      value: <code>{group.id}</code>,
      copied: group.id,
    },
  ];
  return <Facts facts={facts} />;

  function fixed({ version, after, since }: Fix): string {
    const name = version ?? t('group.resolvedAfter', { version: after ?? '' });
    return since ? name : t('group.notDeployed', { version: name });
  }
}

/** When they arrived, whatever became of them. */
function Since({ group, filter }: { group: Details; filter: Filter }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  // The time does not go on by itself: what is shown stays the same until somebody looks again.
  const [earliest] = useState(() => Date.now() - CHART_DAYS * DAY_MS);
  const first = Date.parse(group.firstSeen);
  const charted = useMemo<Filter>(
    () => ({
      ...filter,
      status: 'any',
      from: new Date(Math.max(first, earliest)).toISOString(),
    }),
    [filter, first, earliest],
  );
  return (
    <Part
      title={
        first < earliest
          ? t('group.chartCut', { days: String(CHART_DAYS) })
          : t('group.chart')
      }
    >
      <Histogram filter={charted} />
    </Part>
  );
}

function Activity({ group, place }: { group: Details; place: Place }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [isNoting, setNoting] = useState(false);
  const { allowed } = useMay('triage', {
    services: [group.service],
    resourceRef: place.resourceRef,
  });
  return (
    <>
      <GroupEvents id={group.id} />
      {allowed && (
        <Button
          size="small"
          variant="secondary"
          className={styles.note}
          onPress={() => setNoting(true)}
        >
          {t('group.addNote')}
        </Button>
      )}
      {isNoting && (
        <NoteDialog group={group} onClose={() => setNoting(false)} />
      )}
    </>
  );
}
