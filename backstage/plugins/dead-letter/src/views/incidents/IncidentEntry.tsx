import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Badge, Button, Link, Skeleton, Text } from '@backstage/ui';
import {
  Incident,
  IncidentDetails,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  RiAlertLine,
  RiErrorWarningLine,
  RiInformationLine,
} from '@remixicon/react';
import { Answered } from '../../components/Answered';
import { TabLink } from '../../components/TabLink';
import { Time, sayTime } from '../../components/Time';
import { EVERY_MS } from '../../hooks/every';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useGroupPath } from '../../hooks/useGroupPath';
import { useOperationPath } from '../../hooks/useOperationPath';
import { useSquadTabs } from '../../hooks/useTabs';
import { deadLetterTranslationRef } from '../../translation';
import { sayId } from '../operations/say';
import styles from './incidents.module.css';

const ICONS = {
  info: RiInformationLine,
  warning: RiAlertLine,
  critical: RiErrorWarningLine,
};

interface IncidentEntryProps {
  incident: Incident;
  /** Whether its notifications are shown. */
  isShown: boolean;
  onShow: (id: string | undefined) => void;
}

/** What it is, since when, and the way there; on demand who was told. */
export function IncidentEntry({
  incident,
  isShown,
  onShow,
}: IncidentEntryProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const groupPath = useGroupPath();
  const operationPath = useOperationPath();
  const { id, severity, errorGroup, operationId } = incident;
  const Icon = ICONS[severity];
  const squad = useSquadTabs([incident.squad])(incident.squad);
  return (
    <article aria-label={incident.title}>
      <div className={styles.line}>
        <Badge
          size="small"
          className={styles.severity}
          data-severity={severity}
          icon={<Icon size={12} aria-hidden />}
        >
          {t(`incidents.severity.${severity}`)}
        </Badge>
        <Text weight="bold">{incident.title}</Text>
      </div>
      <div className={styles.line}>
        <TabLink to={squad}>
          {t('incidents.of', { squad: incident.squad })}
        </TabLink>
        <Text color="secondary">
          {t('incidents.since')} <Time at={incident.openedAt} ago />
        </Text>
        {incident.resolvedAt && (
          <Text color="secondary">
            {t('incidents.lasted')} <Time at={incident.resolvedAt} ago />
          </Text>
        )}
        {!incident.resolvedAt && incident.dead > 0 && (
          <Text color="secondary">
            {t(
              incident.kind === 'sourceLag'
                ? 'incidents.waiting'
                : 'incidents.dead',
              { count: incident.dead },
            )}
          </Text>
        )}
        {errorGroup && (
          <Link href={groupPath(errorGroup)}>{t('incidents.toGroup')}</Link>
        )}
        {operationId && (
          <Link href={operationPath(operationId)}>
            {t('incidents.toOperation')}
          </Link>
        )}
        <Button
          size="small"
          variant="tertiary"
          aria-expanded={isShown}
          onPress={() => onShow(isShown ? undefined : id)}
        >
          {t(isShown ? 'incidents.hide' : 'incidents.whoWasTold')}
        </Button>
      </div>
      {incident.resolution && (
        <Text as="p" color="secondary">
          {t('incidents.resolution', { why: incident.resolution })}
        </Text>
      )}
      {isShown && <Told id={id} />}
    </article>
  );
}

/** What its notifications say, and what became of each. */
function Told({ id }: { id: string }) {
  const answer = useAnswer(
    ['incidents', 'one', id],
    (client, signal) => client.incident(id, signal),
    { every: EVERY_MS, keep: false },
  );
  return (
    <Answered answer={answer} loading={<Skeleton width="100%" height={40} />}>
      {details => <Details details={details} />}
    </Answered>
  );
}

function Details({ details }: { details: IncidentDetails }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const groupPath = useGroupPath();
  const others = details.errorGroups.filter(
    each => each !== details.errorGroup,
  );
  return (
    <>
      <Text as="p" className={styles.text}>
        {details.text}
      </Text>
      <div className={styles.line}>
        {others.map(each => (
          <Link key={each} href={groupPath(each)} variant="body-small">
            {t('incidents.toGroupOf', { id: sayId(each) })}
          </Link>
        ))}
      </div>
      {details.notifications.length === 0 ? (
        <Text as="p">{t('incidents.nobody')}</Text>
      ) : (
        <ul className={styles.told} aria-label={t('incidents.whoWasTold')}>
          {details.notifications.map(each => (
            <li key={each.id}>
              <Notified notification={each} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

type Notification = IncidentDetails['notifications'][number];

function Notified({ notification }: { notification: Notification }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { channel, event, state, lastError, attempts } = notification;
  const isOver = state === 'sent' || state === 'dropped';
  return (
    <>
      <Text weight="bold">{channel}</Text>{' '}
      <Text>
        {t(`incidents.event.${event}`)}: {said()}
      </Text>
      {!isOver && lastError && (
        <Text as="div" variant="body-small" color="secondary">
          {t('incidents.attempts', { count: attempts })}: {lastError}
        </Text>
      )}
    </>
  );

  function said(): string {
    const at = (time: string | null) => ({
      time: time ? sayTime(new Date(time)) : '–',
    });
    switch (state) {
      case 'sent':
        return t('incidents.sent', at(notification.endedAt));
      case 'failed':
        return t('incidents.failed', at(notification.endedAt));
      case 'dropped':
        return t('incidents.dropped', { why: lastError ?? '–' });
      default:
        return t(
          notification.held ? 'incidents.held' : 'incidents.pending',
          at(notification.dueAt),
        );
    }
  }
}
