import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { ReactNode } from 'react';
import { CopyButton } from '../../components/CopyButton';
import { Time } from '../../components/Time';
import { deadLetterTranslationRef } from '../../translation';
import type { Order, RoutingKey } from '../acting/request';
import styles from './OperationDrawer.module.css';
import { sayNumber } from './say';
import { useSelectionInWords } from './useSelectionInWords';

/** What was asked for, by whom and when. */
export function OperationFacts({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const inWords = useSelectionInWords();
  const facts: [string, ReactNode][] = [
    [t('operations.fact.what'), inWords(operation)],
    [t('operations.fact.who'), operation.requestedBy],
    [t('operations.fact.created'), <Time at={operation.createdAt} />],
    [
      t('operations.fact.started'),
      operation.startedAt ? <Time at={operation.startedAt} /> : '–',
    ],
    [
      t('operations.fact.ended'),
      operation.endedAt ? <Time at={operation.endedAt} /> : '–',
    ],
    [t('operations.fact.note'), operation.note ?? '–'],
    ...useOptions(operation),
    [
      t('operations.fact.id'),
      <>
        <code>{operation.id}</code>{' '}
        <CopyButton what={t('operations.fact.id')} text={operation.id} />
      </>,
    ],
  ];
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Of redeliveries only: the others have none. */
function useOptions(operation: Operation): [string, string][] {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (operation.kind !== 'redeliver') return [];
  const { rate, to, canary, maxQueueDepth, order, routingKey } = operation;
  const target = () => {
    if (to === 'queue') return t('operations.fact.toQueue');
    if (to === 'exchange') return t('operations.fact.toExchange');
    return t('operations.fact.toExplicit', to);
  };
  return [
    [t('operations.fact.to'), target()],
    [t('operations.fact.order'), t(`acting.option.order.${order as Order}`)],
    ...(to === 'queue'
      ? [
          [
            t('operations.fact.routingKey'),
            t(`acting.option.routingKey.${routingKey as RoutingKey}`),
          ] as [string, string],
        ]
      : []),
    ...(operation.again
      ? [
          [t('operations.fact.again'), t('operations.fact.sentAgain')] as [
            string,
            string,
          ],
        ]
      : []),
    [
      t('operations.fact.rate'),
      rate === null
        ? t('operations.fact.fast')
        : t('operations.progress.rate', { rate: sayNumber(rate) }),
    ],
    [
      t('operations.fact.canary'),
      canary.length === 0
        ? t('operations.fact.noCanary')
        : t('operations.fact.ladder', {
            steps: canary.map(sayNumber).join(' → '),
            wait: sayNumber(operation.canaryWait),
            passed: sayNumber(operation.canaryPassed),
          }),
    ],
    [
      t('operations.fact.depth'),
      maxQueueDepth === null
        ? t('operations.fact.noBound')
        : t('operations.fact.ready', { number: sayNumber(maxQueueDepth) }),
    ],
  ];
}
