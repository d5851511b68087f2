import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Select } from '@backstage/ui';
import { deadLetterApiRef } from '../api/DeadLetterApi';
import { useChooseEnvironment, useEnvironment } from '../hooks/useEnvironment';
import { deadLetterTranslationRef } from '../translation';

/** Which installation is shown; nothing where there is no choice. */
export function EnvironmentSelect() {
  const { environments } = useApi(deadLetterApiRef);
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { name } = useEnvironment();
  const choose = useChooseEnvironment();
  if (environments.length < 2) return null;
  return (
    <Select
      size="small"
      aria-label={t('common.environment')}
      options={environments.map(each => ({
        value: each.name,
        label: each.title,
      }))}
      value={name}
      onChange={chosen => chosen !== null && choose(String(chosen))}
    />
  );
}
