import {
  Progress,
  SwappableComponentsApi,
} from '@backstage/frontend-plugin-api';
import { Flex, Text } from '@backstage/ui';

function Waiting() {
  return (
    <Flex justify="center" p="6" role="status">
      <Text color="secondary">Loading …</Text>
    </Flex>
  );
}

/** The components that Backstage leaves to the app. */
export const components: SwappableComponentsApi = {
  getComponent: ref =>
    ref === (Progress.ref as unknown) ? (Waiting as any) : () => null,
};
