import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { ButtonLink, Link, Text } from '@backstage/ui';
import {
  DeadLetteredMessage,
  Filter,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { Answered } from '../../components/Answered';
import { DiedAgain } from '../../components/DiedAgain';
import { PlainTime } from '../../components/Time';
import { useAnswer } from '../../hooks/useDeadLetter';
import { EVERY_MS } from '../../hooks/every';
import { useMessagePath } from '../../hooks/useMessagePath';
import { deadLetterTranslationRef } from '../../translation';
import { StatusBadge } from '../service/drawer/StatusBadge';
import styles from './group.module.css';

const SHOWN = 5;

interface ExamplesProps {
  filter: Filter;
  /** Where all of them are. */
  all: string | undefined;
}

/** The newest of a group, whatever became of them. */
export function Examples({ filter, all }: ExamplesProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const answer = useAnswer(
    ['messages', 'examples', filter],
    (client, signal) =>
      client.search({ ...filter, status: 'any' }, { limit: SHOWN }, signal),
    { every: EVERY_MS, keep: false },
  );
  return (
    <>
      <Answered answer={answer}>
        {({ messages }) =>
          messages.length > 0 ? (
            <ul className={styles.examples}>
              {messages.map(each => (
                <Example key={each.id} message={each} />
              ))}
            </ul>
          ) : (
            <Text as="p">{t('group.noExamples')}</Text>
          )
        }
      </Answered>
      {all && (
        <ButtonLink size="small" variant="secondary" href={all}>
          {t('group.allMessages')}
        </ButtonLink>
      )}
    </>
  );
}

function Example({ message }: { message: DeadLetteredMessage }) {
  const messagePath = useMessagePath();
  const { errorType, errorMessage, reason, type, messageId, id } = message;
  return (
    <li>
      <div className={styles.about}>
        <StatusBadge status={message.status} />
        <PlainTime at={message.receivedAt} />
        <Text color="secondary">
          {[type, messageId].filter(Boolean).join(' · ')}
        </Text>
        <DiedAgain message={message} />
      </div>
      <Link href={messagePath(id)} className={styles.error}>
        {[errorType, errorMessage].filter(Boolean).join(': ') || reason || id}
      </Link>
    </li>
  );
}
