import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { ButtonLink, ButtonIcon } from '@backstage/ui';
import { RiCloseLine } from '@remixicon/react';
import { Answered } from '../../components/Answered';
import { useOperationPath } from '../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../translation';
import { forget, useBegun } from '../operations/begun';
import { isOver } from '../operations/operation';
import { OperationCard } from '../operations/OperationCard';
import { useOperation } from '../operations/useOperation';
import styles from './Acting.module.css';

/** The operations that were begun here and run, or ended with something to look at. */
export function BegunHere({ by }: { by: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const begun = useBegun().filter(each => each.by === by);
  if (begun.length === 0) return null;
  return (
    <section className={styles.begun} aria-label={t('acting.begun')}>
      {begun.map(({ id }) => (
        <Followed key={id} id={id} />
      ))}
    </section>
  );
}

function Followed({ id }: { id: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const operationPath = useOperationPath();
  return (
    <Answered answer={useOperation(id)}>
      {operation => (
        <OperationCard
          operation={operation}
          actions={
            <>
              <ButtonLink
                size="small"
                variant="tertiary"
                href={operationPath(id)}
              >
                {t('operations.details')}
              </ButtonLink>
              {isOver(operation) && (
                <ButtonIcon
                  size="small"
                  variant="tertiary"
                  icon={<RiCloseLine />}
                  aria-label={t('acting.dismiss')}
                  onPress={() => forget(id)}
                />
              )}
            </>
          }
        />
      )}
    </Answered>
  );
}
