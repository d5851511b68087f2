import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Badge, Link, Text } from '@backstage/ui';
import { DeadLetteredMessage } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  RiCheckLine,
  RiFileCopyLine,
  RiStickyNoteLine,
} from '@remixicon/react';
import { createContext, useContext } from 'react';
import { Button as Open } from 'react-aria-components';
import { useCopy } from '../../components/CopyButton';
import { DiedAgain } from '../../components/DiedAgain';
import { PlainTime } from '../../components/Time';
import { useGroupPath } from '../../hooks/useGroupPath';
import { deadLetterTranslationRef } from '../../translation';
import styles from './MessageTable.module.css';

/** What rows have in common. */
export interface Common {
  /** Rows that are not what the filter lists any more. */
  gone: ReadonlySet<string>;
  /** Error groups that somebody has left a note on. */
  noted: ReadonlySet<string>;
  onOpen: (id: string) => void;
}

/** Rows are made anew where their columns change. What changes more often is told in this way. */
export const CommonContext = createContext<Common>({
  gone: new Set(),
  noted: new Set(),
  onOpen: () => {},
});

interface ArrivedProps {
  message: DeadLetteredMessage;
  showsStatus: boolean;
}

/** When it arrived, and where it stands. */
export function Arrived({ message, showsStatus }: ArrivedProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { gone } = useContext(CommonContext);
  return (
    <>
      <PlainTime at={message.receivedAt} />
      {gone.has(message.id) ? (
        <Badge size="small">
          {t(showsStatus ? 'service.gone' : 'service.goneDead')}
        </Badge>
      ) : (
        showsStatus && (
          <Text as="div" variant="body-small" color="secondary">
            {t(`service.${message.status as 'dead'}`)}
          </Text>
        )
      )}
    </>
  );
}

/** What went wrong. While rows are chosen, a click on a row chooses it; this opens it always. */
export function Failed({ message }: { message: DeadLetteredMessage }) {
  const { gone, noted, onOpen } = useContext(CommonContext);
  const { id, errorType, reason, errorMessage, errorGroup } = message;
  return (
    <div className={styles.failed}>
      <Open
        className={styles.open}
        data-gone={gone.has(id) || undefined}
        onPress={() => onOpen(id)}
      >
        <b>{errorType ?? reason}</b> {errorMessage}
      </Open>
      <DiedAgain message={message} />
      {errorGroup && noted.has(errorGroup) && <Noted group={errorGroup} />}
    </div>
  );
}

/** Leads to the notes on an error group. */
function Noted({ group }: { group: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const groupPath = useGroupPath();
  return (
    <Link
      href={groupPath(group)}
      className={styles.noted}
      aria-label={t('service.hasNotes')}
      title={t('service.hasNotes')}
    >
      <RiStickyNoteLine size={16} aria-hidden />
    </Link>
  );
}

/** A value that may be long: its end gives way, and it can be copied whole. */
export function Value({ text, what }: { text?: string | null; what?: string }) {
  if (!text) return <span aria-hidden>–</span>;
  return (
    <div className={styles.value}>
      <span title={text}>{text}</span>
      {what && <Copy what={what} text={text} />}
    </div>
  );
}

/** Hundreds of these: a button of the browser's own is drawn much sooner. */
function Copy({ what, text }: { what: string; text: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { copied, copy } = useCopy(text);
  return (
    <button
      type="button"
      className={styles.copy}
      aria-label={copied ? t('common.copied') : t('common.copy', { what })}
      // The row would take it for a click on itself.
      onPointerDown={event => event.stopPropagation()}
      onClick={event => {
        event.stopPropagation();
        copy();
      }}
    >
      {copied ? <RiCheckLine size={16} /> : <RiFileCopyLine size={16} />}
    </button>
  );
}
