import {
  Progress,
  useAppSearchParams,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { Allowed } from '../../components/Guarded';
import { PluginPage } from '../../components/PluginPage';
import { useServiceTabs } from '../../hooks/useTabs';
import { deadLetterTranslationRef } from '../../translation';
import { MessagesOf } from './Messages';
import styles from './service.module.css';

/** The dead letters of the service that the address names, for those that the catalog does not have. */
export function ServicePage() {
  const [parameters] = useAppSearchParams();
  const service = parameters.get('service') ?? '';
  return (
    <PluginPage>
      <ByName key={service} service={service} />
    </PluginPage>
  );
}

function ByName({ service }: { service: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  // Its component counts, if it has one after all.
  const place = useServiceTabs([service])(service);
  if (!place) return <Progress />;
  return (
    <Allowed resourceRef={place.resourceRef} service={service}>
      <div className={styles.name}>
        <Text variant="title-medium" weight="bold">
          {service}
        </Text>
        {place.isMissing && (
          <Text color="secondary">{t('service.noComponent')}</Text>
        )}
      </div>
      <MessagesOf service={service} resourceRef={place.resourceRef} />
    </Allowed>
  );
}
