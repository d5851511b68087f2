import { stringifyEntityRef } from '@backstage/catalog-model';
import { useEntity } from '@backstage/plugin-catalog-react';
import { serviceOf } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Guarded } from '../../components/Guarded';
import { MessagesOf } from './Messages';

/** The dead letters of a component. */
export function ServiceTab() {
  const { entity } = useEntity();
  const service = serviceOf(entity);
  const resourceRef = stringifyEntityRef(entity);
  return (
    <Guarded resourceRef={resourceRef} service={service}>
      <MessagesOf service={service} resourceRef={resourceRef} />
    </Guarded>
  );
}
