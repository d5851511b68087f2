import {
  toastApiRef,
  useApi,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { Filter } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useEffect, useRef, useState } from 'react';
import { reasonOf } from '../../components/Answers';
import { save } from '../../components/save';
import { useDeadLetter } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { sayNumber } from '../operations/say';
import { Collected, LARGEST, collect } from './collect';
import { FORMATS } from './formats';

/** How long a toast stays that needs no answer. */
const SAID_FOR_MS = 10_000;

/** Exports what a filter lists. `count` is how many are there so far; undefined while nothing is exported. */
export function useExport(filter: Filter, name: string) {
  const client = useDeadLetter();
  const say = useSay();
  const [count, setCount] = useState<number>();
  const running = useRef<AbortController>();
  useEffect(() => () => running.current?.abort(), []);

  async function start(format: keyof typeof FORMATS) {
    const stop = new AbortController();
    running.current = stop;
    setCount(0);
    try {
      const collected = await collect(client, filter, FORMATS[format], {
        signal: stop.signal,
        onCount: setCount,
      });
      const day = new Date().toISOString().slice(0, 10);
      const { extension } = FORMATS[format];
      save(collected.file, `dead-letters-${name}-${day}.${extension}`);
      say.done(collected);
    } catch (error) {
      if (!stop.signal.aborted) say.failed(error as Error);
    } finally {
      setCount(undefined);
    }
  }
  return { count, start, cancel: () => running.current?.abort() };
}

function useSay() {
  const toasts = useApi(toastApiRef);
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return {
    done: ({ count, isCut }: Collected) =>
      toasts.post({
        title: t('exporting.done', { count }),
        description: isCut
          ? t('exporting.cut', { number: sayNumber(LARGEST) })
          : t('exporting.content'),
        status: isCut ? 'warning' : 'success',
        // What is missing stays until somebody has seen it.
        ...(!isCut && { timeout: SAID_FOR_MS }),
      }),
    failed: (error: Error) =>
      toasts.post({
        title: t('exporting.failed'),
        description: reasonOf(error),
        status: 'danger',
      }),
  };
}
