import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { ButtonIcon, ButtonLink } from '@backstage/ui';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiCloseLine } from '@remixicon/react';
import { useOperationPath } from '../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../translation';
import { dismiss } from './dismissed';
import { isSettled } from './operation';
import { OperationCard } from './OperationCard';
import styles from './OperationsPage.module.css';

/** Operations where their dead letters are shown, for everybody. Nothing where there are none. */
export function OperationsOf({ operations }: { operations: Operation[] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (operations.length === 0) return null;
  return (
    <section className={styles.cards} aria-label={t('operations.here')}>
      {operations.map(each => (
        <OperationCard
          key={each.id}
          operation={each}
          actions={<Actions operation={each} />}
        />
      ))}
    </section>
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
