import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { ButtonIcon, ButtonLink, Text } from '@backstage/ui';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiCloseLine } from '@remixicon/react';
import { useEffect, useRef } from 'react';
import { Row } from '../../components/Row';
import { ServiceText } from '../../components/ServiceText';
import { Time } from '../../components/Time';
import { useOperationPath } from '../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../translation';
import { takeBegun } from './begun';
import { dismiss } from './dismissed';
import { isSettled, kindOf } from './operation';
import { OperationCard } from './OperationCard';
import { OperationState } from './OperationState';
import styles from './OperationsPage.module.css';
import { RefusedReasons } from './RefusedReasons';

/** Operations where their dead letters are shown, for everybody. Nothing where there are none. */
export function OperationsOf({ operations }: { operations: Operation[] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const cards = useRef<HTMLElement>(null);
  // Whoever began one far below wants to see how it goes.
  useEffect(() => {
    if (operations.filter(each => takeBegun(each.id)).length > 0) {
      cards.current?.scrollIntoView?.({ block: 'center' });
    }
  }, [operations]);
  if (operations.length === 0) return null;
  return (
    <section
      className={styles.cards}
      aria-label={t('operations.here')}
      ref={cards}
    >
      {operations.map(each =>
        isSettled(each) ? (
          <Ended key={each.id} operation={each} />
        ) : (
          <OperationCard
            key={each.id}
            operation={each}
            actions={<Actions operation={each} />}
          />
        ),
      )}
    </section>
  );
}

/** What came of one that ended, in few lines: the dead letters are what the page is for. */
function Ended({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const kind = t(`operations.kind.${kindOf(operation)}`);
  return (
    <article className={styles.card} aria-label={kind}>
      <Row apart>
        <Row>
          <OperationState operation={operation} />
          <Text weight="bold">{kind}</Text>
          <Text>
            <ServiceText text={operation.verdictText} />
          </Text>
        </Row>
        <Row>
          <span className={styles.who}>
            {t('operations.startedBy', { who: operation.requestedBy })} ·{' '}
            <Time at={operation.createdAt} ago />
          </span>
          <Actions operation={operation} />
        </Row>
      </Row>
      <RefusedReasons operation={operation} />
    </article>
  );
}

function Actions({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const operationPath = useOperationPath();
  return (
    <>
      <ButtonLink
        size="small"
        variant="tertiary"
        href={operationPath(operation.id)}
      >
        {t('operations.details')}
      </ButtonLink>
      {isSettled(operation) && (
        <ButtonIcon
          size="small"
          variant="tertiary"
          icon={<RiCloseLine />}
          aria-label={t('operations.dismiss')}
          onPress={() => dismiss(operation.id)}
        />
      )}
    </>
  );
}
