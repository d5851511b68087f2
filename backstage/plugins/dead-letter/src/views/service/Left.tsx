import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Text } from '@backstage/ui';
import { deadLetterTranslationRef } from '../../translation';
import styles from './service.module.css';

interface LeftProps {
  /** How many of those that were listed are not any more. */
  count: number;
  onRefresh: () => void;
}

/** Tells of what has been redelivered, deleted or purged since: the rows stay where they are until somebody wants them gone. */
export function Left({ count, onRefresh }: LeftProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <div role="status" className={styles.arrivals} hidden={count === 0}>
      {count > 0 && (
        <>
          <Text as="span">{t('service.left', { count })}</Text>
          <Button size="small" variant="secondary" onPress={onRefresh}>
            {t('service.refresh')}
          </Button>
        </>
      )}
    </div>
  );
}
