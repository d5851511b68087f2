import { stringifyEntityRef } from '@backstage/catalog-model';
import {
  useAppSearchParams,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { useEntity } from '@backstage/plugin-catalog-react';
import { Select } from '@backstage/ui';
import { servicesOf } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Empty } from '../../components/Empty';
import { Guarded } from '../../components/Guarded';
import { ENVIRONMENT_PARAMETER } from '../../hooks/useEnvironment';
import { deadLetterTranslationRef } from '../../translation';
import { MessagesOf } from './Messages';
import styles from './service.module.css';

/** The parameter in the address that names one of the services of a component. */
const SERVICE_PARAMETER = 'service';

/** The dead letters of a component. */
export function ServiceTab() {
  const { entity } = useEntity();
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [parameters] = useAppSearchParams();
  const services = servicesOf(entity);
  const asked = parameters.get(SERVICE_PARAMETER) ?? '';
  const service = services.includes(asked) ? asked : services[0];
  const resourceRef = stringifyEntityRef(entity);
  if (service === undefined) return <Empty title={t('service.isNone')} />;
  return (
    <>
      {services.length > 1 && (
        <ServiceSelect services={services} service={service} />
      )}
      <Guarded resourceRef={resourceRef} service={service}>
        <MessagesOf service={service} resourceRef={resourceRef} />
      </Guarded>
    </>
  );
}

interface ServiceSelectProps {
  services: string[];
  service: string;
}

/** Goes to another service of the component: what else the address says is about this one, so only the environment stays. */
function ServiceSelect({ services, service }: ServiceSelectProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [parameters, setParameters] = useAppSearchParams();
  const environment = parameters.get(ENVIRONMENT_PARAMETER);
  const choose = (next: string) =>
    setParameters({
      ...(environment && { [ENVIRONMENT_PARAMETER]: environment }),
      [SERVICE_PARAMETER]: next,
    });
  return (
    <div className={styles.choice}>
      <Select
        size="small"
        label={t('service.which')}
        options={services.map(each => ({ value: each, label: each }))}
        value={service}
        onChange={next => choose(String(next))}
      />
    </div>
  );
}
