import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Flex, Skeleton, VisuallyHidden } from '@backstage/ui';
import { deadLetterTranslationRef } from '../translation';

/** As high as a table with so many rows, so that it does not push anything when it comes. */
export function TableSkeleton({ rows = 4 }: { rows?: number }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Flex direction="column" gap="4" p="4" role="status">
      <VisuallyHidden>{t('common.loading')}</VisuallyHidden>
      {Array.from({ length: rows + 1 }, (_, index) => (
        <Skeleton key={index} width="100%" height={25} />
      ))}
    </Flex>
  );
}
