import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { PropsWithChildren } from 'react';
import { Time } from '../../../components/Time';
import { deadLetterTranslationRef } from '../../../translation';
import { Code } from './Code';
import { TypedValue, amqpType, sayDecimal } from './amqpType';
import { useTypeName } from './useTypeName';
import styles from './drawer.module.css';

/** A longer text scrolls in a box of its own: the headers below it stay near. */
const LONG_TEXT = 400;
/** Deeper tables are shown as JSON: there is no room to indent them. */
const DEEPEST = 5;
/** The last second that a time of JavaScript has. */
const LAST_SECOND = 8_640_000_000_000;

interface HeaderValueProps {
  name: string;
  value: TypedValue;
  depth?: number;
}

/** The value of a header; of tables and lists, all that is in them. */
export function HeaderValue({ name, value, depth = 0 }: HeaderValueProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  switch (amqpType(value)) {
    case 'void':
      return <Quiet>{t('message.headers.nothing')}</Quiet>;
    case 'table':
      return (
        <Entries
          entries={Object.entries(value.v as Record<string, TypedValue>)}
          none={t('message.headers.emptyTable')}
          depth={depth}
        />
      );
    case 'list':
      return (
        <Entries
          entries={(value.v as TypedValue[]).map((each, at) => [
            String(at + 1),
            each,
          ])}
          none={t('message.headers.emptyList')}
          depth={depth}
        />
      );
    case 'time':
      return <Seconds seconds={String(value.v)} />;
    case 'decimal': {
      const { scale, value: digits } = value.v as Record<string, number>;
      return <Plain name={name} text={sayDecimal(scale, digits)} />;
    }
    default:
      return <Plain name={name} text={sayScalar(value.v)} />;
  }
}

/** A type that is not known yet may have any value. */
function sayScalar(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function Quiet({ children }: PropsWithChildren<{}>) {
  return <span className={styles.quiet}>{children}</span>;
}

function Plain({ name, text }: { name: string; text: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (text === '') return <Quiet>{t('message.headers.emptyText')}</Quiet>;
  if (text.length > LONG_TEXT) {
    const label = t('message.headers.contentOf', { name });
    return <Code label={label} text={text} wrap small />;
  }
  return <span className={styles.value}>{text}</span>;
}

function Seconds({ seconds }: { seconds: string }) {
  const number = Number(seconds);
  return (
    <span>
      {number <= LAST_SECOND && (
        <Time at={new Date(number * 1_000).toISOString()} />
      )}{' '}
      <Quiet>{seconds}</Quiet>
    </span>
  );
}

interface EntriesProps {
  entries: [string, TypedValue][];
  none: string;
  depth: number;
}

function Entries({ entries, none, depth }: EntriesProps) {
  const typeName = useTypeName();
  if (entries.length === 0) return <Quiet>{none}</Quiet>;
  if (depth >= DEEPEST) {
    return (
      <span className={styles.value}>
        {JSON.stringify(Object.fromEntries(entries))}
      </span>
    );
  }
  return (
    <dl className={styles.entries}>
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>
            {name} <Quiet>{typeName(value)}</Quiet>
          </dt>
          <dd>
            <HeaderValue name={name} value={value} depth={depth + 1} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
