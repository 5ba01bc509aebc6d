//! Faulty links between the reference's devices: which process is told of which fault.

use super::LiveBed;
use crate::cable::Cable;
use crate::control::Request;
use harness_sim::Fault;

impl LiveBed<'_> {
    /// Gives links a fault: every device that sends on one of them loses or delays what it sends.
    pub(crate) async fn fault(&mut self, fault: Fault) -> Result<(), String> {
        let names: Vec<String> = self.devices.keys().cloned().collect();
        for name in names {
            self.fault_at(&name, &fault).await?;
        }
        self.faults.begin(fault);
        Ok(())
    }

    /// A device's part of a fault, where it has one.
    pub(super) async fn fault_at(&mut self, name: &str, fault: &Fault) -> Result<(), String> {
        let faulty = |cable: &&Cable| fault.links.contains(&cable.name);
        let ends = |cable: &Cable| [cable.near.clone(), cable.far.clone()];
        let ends: Vec<String> = self.cables.iter().filter(faulty).flat_map(ends).collect();
        let from = fault.matching.from.as_deref();
        let device = self.device(name)?;
        let links: Vec<String> = (device.interfaces().iter())
            .filter(|interface| ends.contains(interface))
            .cloned()
            .collect();
        if links.is_empty() || from.is_some_and(|from| from != name) || !device.is_up() {
            return Ok(());
        }
        let mut of_device = Fault {
            links,
            ..fault.clone()
        };
        of_device.matching.from = None;
        device.tell(&Request::Fault(of_device)).await
    }

    /// Ends the fault of this name, or all.
    pub(crate) async fn heal(&mut self, name: Option<&str>) -> Result<(), String> {
        self.faults.heal(name);
        let request = Request::Heal(name.map(str::to_owned));
        for device in self.devices.values_mut().filter(|device| device.works()) {
            device.tell(&request).await?;
        }
        Ok(())
    }
}
