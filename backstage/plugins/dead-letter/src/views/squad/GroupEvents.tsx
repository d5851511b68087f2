import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Skeleton, Text } from '@backstage/ui';
import { ErrorGroupEvent } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Answered } from '../../components/Answered';
import { Time, sayTime } from '../../components/Time';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import styles from './squad.module.css';

/** What people did with a group, and why, last first. */
export function GroupEvents({ id }: { id: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const details = useAnswer(
    ['error-groups', 'one', id],
    (client, signal) => client.errorGroup(id, signal),
    { keep: false },
  );
  return (
    <section aria-label={t('squad.noteDialog.events')}>
      <Answered
        answer={details}
        loading={<Skeleton width="100%" height={20} />}
      >
        {({ events }) =>
          events.length > 0 ? (
            <ol className={styles.events}>
              {events.map(event => (
                <li key={`${event.at} ${event.action}`}>
                  <Event event={event} />
                </li>
              ))}
            </ol>
          ) : (
            <Text color="secondary">{t('squad.noteDialog.none')}</Text>
          )
        }
      </Answered>
    </section>
  );
}

function Event({ event }: { event: ErrorGroupEvent }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <>
      <Text as="div" variant="body-small" color="secondary">
        {said()} · <Time at={event.at} ago />
      </Text>
      {event.note && <Text className={styles.note}>{event.note}</Text>}
    </>
  );

  function said(): string {
    const { by, mutedUntil, ticket, version } = event;
    switch (event.action) {
      case 'resolve':
        return version
          ? t('squad.noteDialog.did.resolveIn', { by, version })
          : t('squad.noteDialog.did.resolve', { by });
      case 'reopen':
        return t('squad.noteDialog.did.reopen', { by });
      case 'mute':
        return mutedUntil
          ? t('squad.noteDialog.did.mute', {
              by,
              until: sayTime(new Date(mutedUntil)),
            })
          : t('squad.noteDialog.did.muteCount', {
              by,
              count: event.mutedCount ?? 0,
            });
      case 'assign':
        return t('squad.noteDialog.did.assign', {
          by,
          who: event.assignee ?? '',
        });
      case 'link':
        return t('squad.noteDialog.did.link', {
          by,
          ticket: ticket?.key ?? ticket?.url ?? '',
        });
      case 'unassign':
      case 'unlink':
        return t(`squad.noteDialog.did.${event.action}`, { by });
      case 'merge':
      case 'split':
        return t(`squad.noteDialog.did.${event.action}`, {
          by,
          count: event.groups.length,
        });
      default:
        return t('squad.noteDialog.did.note', { by });
    }
  }
}
