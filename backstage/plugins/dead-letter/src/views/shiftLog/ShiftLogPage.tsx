import {
  useAppSearchParams,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { Alert, Button, Text, TextField } from '@backstage/ui';
import { ShiftLog } from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiCheckLine, RiFileCopyLine } from '@remixicon/react';
import { useState } from 'react';
import { Answered } from '../../components/Answered';
import { useCopy } from '../../components/CopyButton';
import { Headline } from '../../components/Headline';
import { PluginPage } from '../../components/PluginPage';
import { Row } from '../../components/Row';
import { useAnswer } from '../../hooks/useDeadLetter';
import { EVERY_MS } from '../../hooks/every';
import { deadLetterTranslationRef } from '../../translation';
import { Entries } from './Entries';
import { Span, TimeOfShift, spanOf } from './TimeOfShift';
import styles from './shiftLog.module.css';
import { useReadableLog } from './useReadableLog';

/** What happened since a time: for whoever takes over. */
export function ShiftLogPage() {
  return (
    <PluginPage view="shiftLog">
      <Shift />
    </PluginPage>
  );
}

/** As `+01:00`. */
function offsetOf(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const pad = (number: number) => String(number).padStart(2, '0');
  const size = Math.abs(minutes);
  const sign = minutes < 0 ? '-' : '+';
  return `${sign}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

function Shift() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [parameters, setParameters] = useAppSearchParams();
  const span: Span = {
    since: parameters.get('since') ?? undefined,
    until: parameters.get('until') ?? undefined,
  };
  // A span counts from the moment when it was opened: what is read stays the same.
  const [opened] = useState(() => Date.now());
  const { since, until } = spanOf(span, opened);
  const squad = parameters.get('squad') ?? undefined;
  const request = {
    since,
    until,
    squad,
    offset: offsetOf(new Date(since)),
  };
  const answer = useAnswer(
    ['shift-log', request],
    (client, signal) => client.shiftLog(request, signal),
    { every: until ? false : EVERY_MS },
  );
  const change = (changes: Record<string, string | undefined>) =>
    setParameters(before => {
      for (const [name, value] of Object.entries(changes)) {
        before.delete(name);
        if (value) before.set(name, value);
      }
      return before;
    });
  return (
    <div className={styles.page}>
      <Headline
        number={answer.data?.arrived}
        unit={t('shiftLog.headline')}
        scope={
          answer.data
            ? t('shiftLog.dead', { number: answer.data.dead.toLocaleString() })
            : ''
        }
      />
      <div className={styles.choice}>
        <TimeOfShift span={span} onChange={change} />
        <SquadField
          squad={squad ?? ''}
          onChange={next => change({ squad: next || undefined })}
        />
      </div>
      <Answered answer={answer}>{log => <Readable answered={log} />}</Answered>
    </div>
  );
}

/** What whoever looks may see of it. The text has all of it: it is for those who may see all. */
function Readable({ answered }: { answered: ShiftLog }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { log, isWhole } = useReadableLog(answered);
  return (
    <>
      <Row>
        {isWhole ? (
          <CopyMarkdown log={log} />
        ) : (
          <Text color="secondary">{t('shiftLog.hidden')}</Text>
        )}
      </Row>
      {log.truncated && (
        <Alert
          status="warning"
          icon
          title={t('shiftLog.truncated')}
          description={t('shiftLog.truncatedDetail')}
        />
      )}
      <Entries log={log} />
    </>
  );
}

interface SquadFieldProps {
  squad: string;
  onChange: (squad: string) => void;
}

/** Whose shift it is. Enter looks. */
function SquadField({ squad, onChange }: SquadFieldProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [typed, setTyped] = useState(squad);
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        onChange(typed.trim());
      }}
    >
      <TextField
        label={t('shiftLog.squad')}
        placeholder={t('shiftLog.squadHint')}
        value={typed}
        onChange={setTyped}
        onBlur={() => onChange(typed.trim())}
      />
    </form>
  );
}

function CopyMarkdown({ log }: { log: ShiftLog }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { copied, copy } = useCopy(log.markdown);
  return (
    <Button
      variant="primary"
      iconStart={copied ? <RiCheckLine /> : <RiFileCopyLine />}
      onPress={copy}
    >
      {t(copied ? 'shiftLog.copied' : 'shiftLog.copy')}
    </Button>
  );
}
