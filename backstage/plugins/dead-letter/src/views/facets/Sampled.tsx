import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { Sample } from '@dead-letter/backstage-plugin-dead-letter-common';
import { deadLetterTranslationRef } from '../../translation';

/** Of how many dead letters something was counted, and whether that is an estimate. */
export function Sampled({ sample }: { sample: Sample }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { choice, messages, total } = sample;
  const of =
    total.relation === 'eq'
      ? total.value.toLocaleString()
      : t('facets.atLeast', { count: total.value });
  return (
    <Text as="p" color="secondary">
      {choice === 'all'
        ? t('facets.all', { count: messages })
        : t(`facets.${choice}`, { messages, total: of })}
    </Text>
  );
}
