import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { ReactNode } from 'react';
import { Row } from '../../components/Row';
import { Time } from '../../components/Time';
import { deadLetterTranslationRef } from '../../translation';
import { kindOf } from './operation';
import { OperationProgress } from './OperationProgress';
import { OperationState } from './OperationState';
import styles from './OperationsPage.module.css';
import { RefusedReasons } from './RefusedReasons';
import { Steering } from './Steering';
import { useSelectionInWords } from './useSelectionInWords';

interface OperationCardProps {
  operation: Operation;
  /** What else can be done. */
  actions: ReactNode;
}

/** An operation while it matters: who began it, how far it is, what is wrong, and how to stop it. */
export function OperationCard({ operation, actions }: OperationCardProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const inWords = useSelectionInWords();
  const kind = t(`operations.kind.${kindOf(operation)}`);
  return (
    <article className={styles.card} aria-label={kind}>
      <Row apart>
        <Row>
          <OperationState operation={operation} />
          <Text weight="bold">{kind}</Text>
          <Text color="secondary">{inWords(operation)}</Text>
        </Row>
        <Row>
          <Steering operation={operation} />
          {actions}
        </Row>
      </Row>
      <div className={styles.who}>
        {t('operations.startedBy', { who: operation.requestedBy })} ·{' '}
        <Time at={operation.createdAt} ago />
        {operation.note && ` · ${operation.note}`}
      </div>
      <OperationProgress operation={operation} />
      <RefusedReasons operation={operation} />
    </article>
  );
}
