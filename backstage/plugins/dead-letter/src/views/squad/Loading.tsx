import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Flex, Skeleton, VisuallyHidden } from '@backstage/ui';
import { deadLetterTranslationRef } from '../../translation';

/** The height of a row of a table, so that nothing jumps when the rows come. */
const ROW = 40;

/** Stands where rows will be. */
export function Loading({
  rows,
  height = ROW,
}: {
  rows: number;
  height?: number;
}) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Flex direction="column" gap="1" role="status">
      <VisuallyHidden>{t('common.loading')}</VisuallyHidden>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} width="100%" height={height} aria-hidden />
      ))}
    </Flex>
  );
}
