import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Text } from '@backstage/ui';
import { sayTime } from '../../components/Time';
import { deadLetterTranslationRef } from '../../translation';
import { Arrivals } from './useArrivals';
import styles from './service.module.css';

interface NewArrivalsProps {
  arrivals: Arrivals;
  onShow: () => void;
}

/** Tells of what has arrived since; its place is there before, so that nothing jumps. */
export function NewArrivals({ arrivals, onShow }: NewArrivalsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { count, since } = arrivals;
  return (
    <div role="status" className={styles.arrivals}>
      {count > 0 && (
        <>
          <Text as="span">
            {since
              ? t('service.arrived', { count, time: sayTime(new Date(since)) })
              : t('service.arrivedFirst', { count })}
          </Text>
          <Button size="small" variant="secondary" onPress={onShow}>
            {t('service.showThem')}
          </Button>
        </>
      )}
    </div>
  );
}
